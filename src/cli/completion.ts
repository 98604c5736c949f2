import { Argument, type Command } from "commander";
import { print } from "./terminal.ts";

const EXAMPLES = `
Examples:
  source <(portico completion bash)                                  in ~/.bashrc
  source <(portico completion zsh)                                   in ~/.zshrc, after compinit
  portico completion fish > ~/.config/fish/completions/portico.fish
With npx the command is not in your PATH: install the package globally for completion.`;

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

/** Adds `portico completion`. */
export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("print a script that completes commands and options in your shell")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .addHelpText("after", EXAMPLES)
    .action((shell: Shell) => print(SCRIPTS[shell](wordsOf(program))));
}

/** A word that can be completed, and its description. */
type Word = readonly [text: string, about: string];

interface CommandWords {
  readonly name: string;
  readonly about: string;
  /** Long options, and fixed values of arguments. */
  readonly words: readonly Word[];
  readonly takesFiles: boolean;
}

function wordsOf(program: Command): CommandWords[] {
  return program.commands.map((command) => {
    const values = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
    const options = command.options.map(({ long, description }): Word => [long ?? "", description]);
    return {
      name: command.name(),
      about: command.description(),
      words: [...values.map((value): Word => [value, ""]), ...options, ["--help", "print the help"]],
      takesFiles: command.registeredArguments.some((argument) => ["dir", "file"].includes(argument.name())),
    };
  });
}

const SCRIPTS: Readonly<Record<Shell, (commands: readonly CommandWords[]) => string>> = { bash, zsh, fish };

function bash(commands: readonly CommandWords[]): string {
  const cases = commands.map(
    ({ name, words }) => `    ${name}) words="${words.map(([text]) => text).join(" ")}" ;;`,
  );
  const names = commands.map(({ name }) => name).join(" ");
  return `_portico() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  COMPREPLY=()
  case "\${COMP_CWORD}:\${COMP_WORDS[1]}" in
    1:*) words="${names} --help --version" ;;
${cases.map((line) => line.replace(/^ {4}/, "    *:")).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F _portico portico`;
}

/** Text in single quotes of a shell. */
const quoted = (text: string): string => `'${text.replace(/'/g, "'\\''")}'`;

function zsh(commands: readonly CommandWords[]): string {
  const described = (words: readonly Word[]): string =>
    words.map(([text, about]) => quoted(`${text.replace(/:/g, "\\:")}${about && `:${about}`}`)).join(" ");
  const cases = commands.map(
    ({ name, words, takesFiles }) =>
      `    ${name}) words=(${described(words)}); files=${takesFiles ? 1 : 0} ;;`,
  );
  return `_portico() {
  local -a words_of_command
  local files=0
  if (( CURRENT == 2 )); then
    words_of_command=(${described(commands.map(({ name, about }) => [name, about]))})
    _describe command words_of_command
    return
  fi
  case $words[2] in
${cases.map((line) => line.replaceAll("words=(", "words_of_command=(")).join("\n")}
  esac
  _describe option words_of_command
  (( files )) && _files
}
compdef _portico portico`;
}

function fish(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ name, about, words, takesFiles }) => {
    const inCommand = quoted(`__fish_seen_subcommand_from ${name}`);
    return [
      `complete -c portico -n __fish_use_subcommand -f -a ${name} -d ${quoted(about)}`,
      ...(takesFiles ? [] : [`complete -c portico -n ${inCommand} -f`]),
      ...words.map(([text, description]) =>
        text.startsWith("--")
          ? `complete -c portico -n ${inCommand} -l ${text.slice(2)} -d ${quoted(description)}`
          : `complete -c portico -n ${inCommand} -a ${text}`,
      ),
    ];
  });
  return lines.join("\n");
}
