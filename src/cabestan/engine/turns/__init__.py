"""Who may begin: what waits for a place stands in line, and the places go round between the projects."""
