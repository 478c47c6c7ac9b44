"""How far a trained network's answers hold where its inputs are changed."""
