// ResourceManager: matches slot requirements with registered TaskManagers.
export {}
