// deploy/vim/syntax/evenkeel.vim: the keyword table as a syntax file for vim. A test regenerates the file and fails when it is stale.

extension KeywordTable {
    /// The syntax file.
    public static func vimSyntax() -> String {
        var groups: [String: Set<String>] = [:]
        var strongest: [String: String] = [:]
        for entry in entries {
            let group = entry.vimGroup
            // A word that acts in one block is no old word in another.
            let rank = ["Block", "Word", "Own", "Old", "Idle", "NotYet"]
            let before = strongest[entry.word].flatMap(rank.firstIndex) ?? rank.count
            if (rank.firstIndex(of: group) ?? rank.count) < before { strongest[entry.word] = group }
        }
        for (word, group) in strongest { groups[group, default: []].insert(word) }
        let links = [
            "Block": "Structure", "Word": "Keyword", "Own": "Keyword", "Old": "WarningMsg", "Idle": "Comment",
            "NotYet": "Todo",
        ]
        var text = vimHead
        for (group, link) in links.sorted(by: { $0.key < $1.key }) {
            text += lines(of: groups[group]?.sorted() ?? [], "syn keyword evenkeel\(group)")
            text += "hi def link evenkeel\(group) \(link)\n"
        }
        return text + vimTail
    }

    /// The words after `command`, in lines of at most 120 characters.
    private static func lines(of words: [String], _ command: String) -> String {
        var text = ""
        var line = command
        for word in words {
            if line.utf8.count + word.utf8.count + 1 > 120 {
                text += line + "\n"
                line = command
            }
            line += " " + word
        }
        return words.isEmpty ? "" : text + line + "\n"
    }

    private static let vimHead = """
        " Vim syntax file: keepalived.conf as Evenkeel reads it.
        " Generated from the keyword table (Sources/Configuration); EVENKEEL_REWRITE=1 … --filter KeywordTableTests writes it.
        if exists("b:current_syntax")
          finish
        endif
        syn case match
        syn iskeyword @,48-57,_,-


        """

    private static let vimTail = """

        syn match evenkeelComment "[#!].*$" contains=@Spell
        syn region evenkeelString start=+"+ skip=+\\\\.+ end=+"+ oneline
        syn match evenkeelNumber "\\<\\d\\+\\%(\\.\\d\\+\\)\\?\\>"
        syn match evenkeelAddress "\\<\\d\\{1,3}\\%(\\.\\d\\{1,3}\\)\\{3}\\%(/\\d\\+\\|-\\d\\+\\)\\?"
        syn match evenkeelAddress "\\<\\x\\{1,4}:[0-9a-fA-F:]*\\%(/\\d\\+\\)\\?"
        syn match evenkeelConstant "\\<\\%(MASTER\\|BACKUP\\|NAT\\|DR\\|TUN\\|TCP\\|UDP\\|SCTP\\|PASS\\|AH\\|on\\|off\\|yes\\|no\\|true\\|false\\)\\>"
        syn match evenkeelCondition "^\\s*@^\\?\\S\\+"
        syn match evenkeelParameter "\\$\\%({[^}]*}\\|\\w\\+\\)"
        syn region evenkeelFold start="{" end="}" transparent fold
        hi def link evenkeelComment Comment
        hi def link evenkeelString String
        hi def link evenkeelNumber Number
        hi def link evenkeelAddress Constant
        hi def link evenkeelConstant Constant
        hi def link evenkeelCondition PreProc
        hi def link evenkeelParameter PreProc
        let b:current_syntax = "evenkeel"

        """
}

extension KeywordTable.Entry {
    /// How a word is shown.
    fileprivate var vimGroup: String {
        switch support {
        case .supported: child == nil ? "Word" : "Block"
        case .addition: child == nil ? "Own" : "Block"
        case .deprecated: "Old"
        case .unneeded: "Idle"
        case .notYet: "NotYet"
        }
    }
}
