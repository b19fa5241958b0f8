"""Views of the table and of a dossier, computed for whoever looks on."""
