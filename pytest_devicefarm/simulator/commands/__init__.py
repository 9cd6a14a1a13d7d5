"""The WebDriver commands of the built-in engine, a file for each kind."""
