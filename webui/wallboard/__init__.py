"""The hall screen (大屏): figures for the public, on displays that nobody logs in at. Reads every stage's rows and writes none."""
