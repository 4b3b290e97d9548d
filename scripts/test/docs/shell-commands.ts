/**
 * Takes a script apart into its simple commands, each as its words: pipes, `&&`, `||`, `;`, `&` and line breaks end one.
 * Quotes are taken off, comments, redirections, here documents and variables set before a command are left out. Covers what
 * the documentation uses of the shell, not the shell.
 */
export function simpleCommands(script: string): string[][] {
  const text = script
    // What a variable is set to is a command of its own, or a calculation.
    .replaceAll(/^\s*\w+=\$\(\(.*\)\)$/gm, "")
    .replaceAll(/^\s*\w+=\$\((.*)\)$/gm, "$1")
    .replaceAll(/\\\n\s*/g, " ")
    .replaceAll(/<<'?(\w+)'?(.*)\n[\s\S]*?\n\1$/gm, "$2");
  const commands: string[][] = [];
  let words: string[] = [];
  const end = () => {
    const isSetting = (word: string): boolean => /^(?:[A-Za-z_]+=|[({!]$|if$)/.test(word);
    const first = words.findIndex((word) => !isSetting(word));
    if (first >= 0)
      commands.push(words.slice(first).filter((word) => !/^(do|done|then|fi|[)}]|\])$/.test(word)));
    words = [];
  };
  const token =
    /(#[^\n]*)|(\n|\|\|?|&&?|;)|(\d?>>?&?\s*\S+|<\s*\S+)|((?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"|&;<>])+)/g;
  for (const [, comment, separator, redirection, word] of text.matchAll(token)) {
    if (comment !== undefined || redirection !== undefined) continue;
    if (separator !== undefined) end();
    else if (word !== undefined) words.push(word.replaceAll(/'([^']*)'|"((?:\\.|[^"\\])*)"/g, "$1$2"));
  }
  end();
  return commands.filter((command) => command.length > 0 && command[0] !== "for");
}
