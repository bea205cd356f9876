// Rows of blocks that nothing acts on yet: bfd_instance, SSL, track_group, auth_hmac. They are rows all the same:
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

    static let bfd = Grammar<ListsDraft>(
        .bfd,
        [
            .notYet("neighbor_ip", "ADDR", standard: "required", "the neighbour"),
            .notYet("neighbour_ip", "ADDR", standard: "required", "the neighbour"),
            .notYet("source_ip", "ADDR", standard: "automatic", "source address"),
            .notYet("min_rx", "N", unit: "ms", standard: "10", "least interval of received packets"),
            .notYet("min_tx", "N", unit: "ms", standard: "10", "least interval of sent packets"),
            .notYet("idle_tx", "N", unit: "ms", standard: "1000", "interval while down"),
            .notYet("multiplier", "N", standard: "5", "packets missed until down"),
            .notYet("passive", "wait for the neighbour to begin"),
            .notYet("ttl", "N", standard: "255", "TTL of sent packets (IPv4)"),
            .notYet("hoplimit", "N", standard: "64", "hop limit of sent packets (IPv6)"),
            .notYet("max_hops", "N", range: "-1…255", standard: "0", "hops a received packet may have made"),
            .notYet("multihop", "[BOOL]", "port 4784 instead of 3784"),
            .notYet("weight", "N [reverse]", range: "-253…253", standard: "0", "change of priority"),
            .notYet("vrrp", "tell instances only"),
            .notYet("checker", "tell checkers only"),
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
