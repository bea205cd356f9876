
# Names of services and servers have colons, at which bash ends a word.
__lbctl_whole_words() {
    if ! declare -F _get_comp_words_by_ref >/dev/null; then
        _lbctl "$@"
        return
    fi
    local cur prev words cword
    _get_comp_words_by_ref -n : cur prev words cword
    COMP_WORDS=("${words[@]}") COMP_CWORD=$cword
    _lbctl "$1" "$cur" "$prev"
    # They are no files either, whose colons would be quoted.
    case ${COMPREPLY[*]-} in *:*) compopt +o filenames ;; esac
    __ltrim_colon_completions "$cur"
}
complete -o filenames -F __lbctl_whole_words lbctl
