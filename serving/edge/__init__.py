"""Runs an exported classifier on a device that has no TensorFlow.

The folder is copied to the device as it is: nothing in it imports `trainer`.
"""
