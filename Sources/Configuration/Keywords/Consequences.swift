// What it means for people that a keyword is not acted on yet. A keyword that is not here says what it is for instead, and
// counts as a convenience. The row decides whether a keyword is acted on; a line here that no row needs any more is harmless.

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

    private static let noProgram = "no program is run then"
    private static let noPipe = "nothing is written to a pipe"

    private static let convenience: [String: String] = [
        "notify_up": noProgram, "notify_down": noProgram, "quorum_up": noProgram, "quorum_down": noProgram,
        "lvs_notify_fifo": noPipe, "lvs_notify_fifo_script": noPipe,
        "omega": "no program is run at stop anyway", "rs_init_notifies": "no program is run anyway",
    ]
}
