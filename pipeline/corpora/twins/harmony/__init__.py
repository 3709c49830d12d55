"""A process that composes four-part chorales by the rules of functional harmony."""
