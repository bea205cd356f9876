// What came of looking for a `regex` in a body, and what that means for the check.

/// How a search ended.
public enum PatternAnswer: Hashable, Sendable, CaseIterable {
    case found
    case nowhere
    /// The pattern took too many steps or too much memory on this body.
    case tooHard
    /// More than can be kept may still become a match.
    case tooLong
    /// The pattern is for UTF-8, and the body is not.
    case badText

    /// What it means where a match is wanted, or (`regex_no_match`) none.
    func judged(isInverted: Bool) -> ProbeOutcome {
        switch self {
        case .found: isInverted ? .failure(.answer("the body matches regex")) : .success
        case .nowhere: isInverted ? .success : .failure(.answer("the body does not match regex"))
        case .tooHard: .failure(.answer("regex takes too many steps on this body"))
        case .tooLong: .failure(.answer("regex may match more of the body than can be kept"))
        case .badText: .failure(.answer("the body is not UTF-8, as regex_options utf wants"))
        }
    }
}
