"""The only place of the knowledge base where driver libraries appear."""
