"""The page and what serves it. Nothing here is imported before somebody serves."""
