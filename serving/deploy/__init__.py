"""Files that put an exported model behind TensorFlow Serving."""
