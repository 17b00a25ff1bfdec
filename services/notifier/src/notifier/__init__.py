"""Mails the delivery team and the workspace owner, once per purchase, letter and refund."""
