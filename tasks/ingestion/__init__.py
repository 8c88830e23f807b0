"""From files to cleaned documents, and from documents to chunks."""
