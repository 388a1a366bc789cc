"""What is owed to a citizen in writing: approval cases of the hall, and text messages. Work orders grow here."""
