"""What `make install` runs: which Python will do, locked packages, and torchaudio's fit."""
