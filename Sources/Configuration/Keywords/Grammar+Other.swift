// Rows of blocks that nothing acts on yet: SSL, track_group, auth_hmac. They are rows all the same:
// a typing mistake in them is found, and explain and the migration table know them.

extension Grammars {
    static let trackGroup = Grammar<ListsDraft>(
        .trackGroup, [.list("group", lines: "INSTANCE…", .rare, "the instances") { _, _, _ in }.notYet])

    static let authenticationHMAC = Grammar<ListsDraft>(
        .authenticationHMAC,
        [
            Keyword.notYet("key", "ID VALUE|hex:…|file:PATH", standard: "required", "a key of 32 to 64 bytes")
                .repeatable,
            .notYet("active_key", "ID", standard: "the first", "the key to sign with"),
            .notYet(
                "time_window", "SECONDS", unit: "s", range: "1…300", standard: "3 adverts, at least 5", "tolerated age"),
            .notYet("anti_replay", "time|monotonic", standard: "time", "how replays are recognised"),
            .notYet("mode", "enforce|permissive|receive-only", standard: "enforce", "what happens to unsigned adverts"),
        ])

    static let ssl = Grammar<ListsDraft>(
        .ssl,
        [
            .notYet("password", "TEXT", standard: "none", "of the key file"),
            .notYet("ca", "FILE", standard: "none", "authorities; keepalived loads them and verifies nothing"),
            .notYet("certificate", "FILE", standard: "none", "client certificate"),
            .notYet("key", "FILE", standard: "none", "its key"),
        ])
}
