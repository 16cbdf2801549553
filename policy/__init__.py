"""What must be so of every object, and what is excepted from others' rules."""
