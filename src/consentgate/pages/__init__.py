"""What visitors see of the gate: words, templates, script and style."""
