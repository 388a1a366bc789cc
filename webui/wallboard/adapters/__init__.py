"""The only place where the hall screen meets the network."""
