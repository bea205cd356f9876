// What it means for people that a keyword is not acted on yet, and why it is not: what is checked says it, and docs/MIGRATION.md. The row decides
// whether a keyword is acted on; one that is not and has no line here says what it is for, and counts as a convenience (words of route lines).

extension KeywordTable {
    /// What happens instead of what the word asks for.
    static func consequence(of word: String, in block: BlockKind) -> (text: String, cost: Inaction.Cost) {
        if let text = protection["\(block.rawValue) \(word)"] ?? protection[word] { return (text, .protection) }
        if let text = convenience[word] { return (text, .convenience) }
        let meaning = explain(word).first { $0.kind == block }?.meaning ?? word
        return ("it asks for \"\(meaning)\"", .convenience)
    }

    /// Where an address or a service is not protected as the file says: nowhere at present.
    private static let protection: [String: String] = [:]

    private static let noOtherMIB =
        "'lbctl snmp' serves KEEPALIVED-MIB alone, which says of virtual routers what the MIBs of RFC 2787 and RFC 6527 say; for the other tables "
        + "they would have to be kept a second and a third time"

    private static let convenience: [String: String] = [
        "enable_snmp_rfc": noOtherMIB, "enable_snmp_rfcv2": noOtherMIB, "enable_snmp_rfcv3": noOtherMIB,
        "enable_traps":
            "'lbctl snmp' answers snmpd (pass_persist), and who answers cannot send; mail, notify_webhook, notify programs and 'lbctl events' "
            + "tell of the same changes",
        "snmp_name":
            "KEEPALIVED-MIB of keepalived 2.2, which 'lbctl snmp' serves, has no place for it; its tables tell services and servers apart by "
            + "address and port",
    ]

    /// Why a keyword is not acted on, where that is known.
    public static func reason(_ word: String) -> String? { convenience[word] }
}
