# sed -z -E: in the installed documents, links to files that are not installed become text. \x01 marks the others.
s!\]\(\.\./configs/!](../../residual/configs/!g
s!\]\((#|https:|\.\./\.\./|(programs|checkpoints|other-weights)\.md|pytorch_model\.py|examples\))!]\x01(\1!g
s!\[([^]]+)\]\(\1(#[^)]*)?\)!docs/\1 in the repository!g
s!\[([^]]+)\]\(\.\./([^)]+)\)!\1 (\2 in the repository)!g
s!\[([^]]+)\]\(([^)]+)\)!\1 (docs/\2 in the repository)!g
s!\x01!!g
