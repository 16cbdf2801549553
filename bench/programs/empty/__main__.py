"""A program that declares nothing: what is left is the engine's own start and end."""
