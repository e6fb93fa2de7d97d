"""What later stages keep about people by a keyed hash of what they are called, such as the answers of models."""
