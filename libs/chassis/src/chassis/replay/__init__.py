"""What is done once Kafka, or a reader's database, has lost something: facts are sent again, and read again."""
