// Rows of blocks that nothing acts on yet: SSL. They are rows all the same:
// a typing mistake in them is found, and explain and the migration table know them.

extension Grammars {
    static let ssl = Grammar<ListsDraft>(
        .ssl,
        [
            .notYet("password", "TEXT", standard: "none", "of the key file"),
            .notYet("ca", "FILE", standard: "none", "authorities; keepalived loads them and verifies nothing"),
            .notYet("certificate", "FILE", standard: "none", "client certificate"),
            .notYet("key", "FILE", standard: "none", "its key"),
        ])
}
