"""PostgreSQL: sessions, migrations and the tables that services share."""
