"""`manage.py up`: starts every part of the program on one machine, keeps it running, and ends what it started and nothing else."""
