"""What every stage stands on: settings, errors, database, outbox, jobs, clock, privacy, audit. Knows no stage."""
