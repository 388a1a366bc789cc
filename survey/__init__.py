"""What citizens think of it: questionnaires in versions, one survey for each asking, and their answers."""
