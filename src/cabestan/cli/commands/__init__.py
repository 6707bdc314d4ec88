"""The commands, a module per noun; each has an `app` or functions that main registers."""
