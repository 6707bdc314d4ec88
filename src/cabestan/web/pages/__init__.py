"""The pages: server-rendered, whole without JavaScript where they can be."""
