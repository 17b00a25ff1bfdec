#!/bin/sh
# One database per service and one role that owns it and no other can enter. Runs once, when the volume is empty.
# The passwords are for this machine only; the server is published on the loopback interface alone.
set -eu
for name in catalog purchases notifier; do
    psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<SQL
create role $name login password 'dev-only-$name';
create database $name owner $name;
revoke all on database $name from public;
SQL
done
