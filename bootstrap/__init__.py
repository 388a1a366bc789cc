"""All wiring: which adapter stands behind which role, what each process runs, and which event goes to which handler."""
