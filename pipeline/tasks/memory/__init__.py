"""Memory laboratory: how far back can a net learn?"""
