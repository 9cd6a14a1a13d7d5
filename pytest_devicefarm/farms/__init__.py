"""One folder per farm; the registry finds them by walking this package."""
