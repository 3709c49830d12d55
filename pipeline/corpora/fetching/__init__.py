"""From an address or a mirror to checked files: downloads and archives."""
