
_clap_complete_hookctl() {
    local IFS=$'\013'
    local _CLAP_COMPLETE_COMP_TYPE=${COMP_TYPE}
    if compopt +o nospace 2> /dev/null; then
        local _CLAP_COMPLETE_SPACE=false
    else
        local _CLAP_COMPLETE_SPACE=true
    fi
    local words=() at last=0 word
    for at in "${!COMP_WORDS[@]}"; do
        word="${COMP_WORDS[at]}"
        if [[ $at -eq $COMP_CWORD && "$word" != "=" ]] && [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
            word="$2"
        fi
        if [[ $at -gt 1 && ( "${COMP_WORDS[at]}" == "=" || "${COMP_WORDS[at-1]}" == "=" ) ]]; then
            words[last]+="$word"
        else
            last=$at
            words[last]="$word"
        fi
        if [[ $at -eq $COMP_CWORD ]]; then
            break
        fi
    done
    words=("${words[@]}")
    local _CLAP_COMPLETE_INDEX=$((${#words[@]} - 1))
    local kept="${words[_CLAP_COMPLETE_INDEX]%"$2"}"
    COMPREPLY=( $( \
        _CLAP_IFS="$IFS" \
        _CLAP_COMPLETE_INDEX="$_CLAP_COMPLETE_INDEX" \
        _CLAP_COMPLETE_COMP_TYPE="$_CLAP_COMPLETE_COMP_TYPE" \
        _CLAP_COMPLETE_SPACE="$_CLAP_COMPLETE_SPACE" \
        HOOKCTL_COMPLETE="bash" \
        "hookctl" -- "${words[@]}" \
    ) )
    if [[ $? != 0 ]]; then
        unset COMPREPLY
    elif [[ "$kept" == *= ]]; then
        COMPREPLY=("${COMPREPLY[@]#"$kept"}")
    elif [[ $_CLAP_COMPLETE_SPACE == false ]] && [[ "${COMPREPLY-}" =~ [=/:]$ ]]; then
        compopt -o nospace
    fi
}
if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -o nospace -o bashdefault -o nosort -F _clap_complete_hookctl hookctl
else
    complete -o nospace -o bashdefault -F _clap_complete_hookctl hookctl
fi

