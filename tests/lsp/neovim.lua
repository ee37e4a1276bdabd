-- Opens a catalog as an editor does and prints its diagnostics: `nvim --headless --clean -l neovim.lua ROOT PROGRAM`.
local root, program = arg[1], arg[2]
vim.cmd.edit(root .. '/flow.yaml')
vim.lsp.start({ name = 'tidegate', cmd = { program, 'lsp' }, root_dir = root })
local is_told = vim.wait(60000, function()
  return #vim.diagnostic.get(0) > 0
end, 50)
assert(is_told, 'no diagnostics came')
for _, item in ipairs(vim.diagnostic.get(0)) do
  io.stdout:write(('%d:%d %s\n'):format(item.lnum + 1, item.col + 1, item.code))
end
vim.cmd.qall({ bang = true })
