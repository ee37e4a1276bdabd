-- Opens a catalog as an editor does and prints its diagnostics: `ROOT=… PROGRAM=… nvim --headless --clean -c 'luafile neovim.lua'`.
-- Neovim 0.7 has no `vim.lsp.start`.
local root, program = vim.env.ROOT, vim.env.PROGRAM

local function show()
  vim.cmd('edit ' .. vim.fn.fnameescape(root .. '/flow.yaml'))
  local config = { name = 'tidegate', cmd = { program, 'lsp' }, root_dir = root }
  if vim.lsp.start then
    vim.lsp.start(config)
  else
    vim.lsp.buf_attach_client(0, vim.lsp.start_client(config))
  end
  local is_told = vim.wait(60000, function()
    return #vim.diagnostic.get(0) > 0
  end, 50)
  assert(is_told, 'no diagnostics came')
  for _, item in ipairs(vim.diagnostic.get(0)) do
    local code = item.code or item.user_data.lsp.code
    io.stdout:write(('%d:%d %s\n'):format(item.lnum + 1, item.col + 1, code))
  end
end

local is_shown, problem = pcall(show)
if not is_shown then
  io.stderr:write(tostring(problem) .. '\n')
end
vim.cmd(is_shown and 'qall!' or 'cquit!')
