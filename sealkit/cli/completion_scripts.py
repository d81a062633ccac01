"""The scripts of `sealkit completion`: how each shell asks for candidates. Text only.

Each asks the program that was typed, `… completion candidates`, and leaves files to the shell.
"""

from __future__ import annotations

from typing import Final

BASH: Final = r"""# bash completion of sealkit
_sealkit() {
  local word glue="" line directive="" words=() raw=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
  [[ ${COMP_WORDS[COMP_CWORD]} == "=" ]] && raw+=("=")
  for word in "${raw[@]}" "$2"; do # bash breaks words at "=", sealkit does not
    if [[ ( $word == "=" || $glue ) && ${#words[@]} -gt 0 ]]; then
      words[${#words[@]}-1]+=$word
    else
      words+=("$word")
    fi
    [[ $word == "=" ]] && glue=yes || glue=""
  done
  local last=${words[${#words[@]}-1]}
  local kept=${last%"$2"} # the part of the word that bash does not replace
  COMPREPLY=()
  while IFS=$'\t' read -r line _; do
    case $line in
      :*) directive=$line ;;
      *) COMPREPLY+=("${line#"$kept"}") ;;
    esac
  done < <("${1/#\~/$HOME}" completion candidates -- "${words[@]}" 2>/dev/null)
  if [[ $directive == ":4" ]]; then
    compopt +o default 2>/dev/null # no files
  fi
}
complete -o default -F _sealkit sealkit kubectl-sealkit
"""

ZSH: Final = r"""#compdef sealkit kubectl-sealkit
# zsh completion of sealkit
_sealkit() {
  local -a answer described
  local line directive=""
  answer=("${(@f)$(${(Q)words[1]} completion candidates -- \
    "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  for line in "${answer[@]}"; do
    if [[ $line == :* ]]; then
      directive=$line
    elif [[ -n $line ]]; then
      described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    fi
  done
  (( $#described )) && _describe -t candidates candidate described
  if [[ $directive == ":0" ]]; then
    compset -P '*='
    _files
  fi
}
if [[ ${funcstack[1]} == _sealkit ]]; then
  _sealkit "$@"
else
  compdef _sealkit sealkit kubectl-sealkit
fi
"""

FISH: Final = r"""# fish completion of sealkit
function __sealkit_candidates
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] completion candidates -- $words[2..-1] "$current" 2>/dev/null)
        if string match -qr '^:\d+$' -- $line
            test $line = ":0"; or continue
            set -l option (string match -r '^-[^=]*=|^[^=/]+=' -- $current)
            set -l path (string replace -r '^-[^=]*=|^[^=/]+=' '' -- $current)
            for file in (__fish_complete_path "$path")
                echo -- "$option$file"
            end
        else
            echo -- $line
        end
    end
end
complete -c sealkit -f -a '(__sealkit_candidates)'
complete -c kubectl-sealkit -f -a '(__sealkit_candidates)'
"""

POWERSHELL: Final = r"""# PowerShell completion of sealkit
Register-ArgumentCompleter -Native -CommandName sealkit, kubectl-sealkit -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $program = $commandAst.CommandElements[0].ToString()
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { $_.ToString() })
    # --last, because older versions drop an argument that is empty.
    $lines = @(& $program completion candidates "--last=$wordToComplete" -- $words 2>$null)
    $directive = ":0"
    $candidates = @(foreach ($line in $lines) {
        if ($line -match '^:\d+$') {
            $directive = $line
            continue
        }
        $value, $text = $line -split "`t", 2
        if (-not $text) { $text = $value }
        New-Object System.Management.Automation.CompletionResult `
            $value, $value, 'ParameterValue', $text
    })
    # Nothing at all lets PowerShell offer files.
    if ($candidates.Count -eq 0 -and $directive -ne ":0") { return "" }
    $candidates
}
"""

KUBECTL: Final = r"""#!/bin/sh
# kubectl runs the program of this name to learn what may follow `kubectl sealkit`.
exec sealkit completion candidates -- "$@"
"""
