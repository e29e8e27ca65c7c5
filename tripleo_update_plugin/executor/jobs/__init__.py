"""One phase of one batch as a folder: who carries it out, who waits for it, what it left behind."""
