"""The Customer Portal (https://docs.stripe.com/customer-management): a page where a customer manages what he has."""
