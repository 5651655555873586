"""Parameters of models: what is known of them, what fills them, which layers share them, what holds for new ones."""
