"""The browser's side: the only package that knows Flask."""
