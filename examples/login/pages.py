# The pages of this example; `{}` takes a name or a complaint of the program's own, never what a visitor typed.

HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Login</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; accent-color: #175; }
body { max-width: 36rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
input, button { box-sizing: border-box; max-width: 100%; min-height: 2.75rem; padding: 0 1rem; font: inherit; }
input, button { border: 1px solid GrayText; border-radius: .5rem; }
button { border-color: #175; background: #175; color: #fff; }
</style>
"""
FORM = """<h1>Who are you?</h1>
{}
<form method="post">
<p><label>Name<br><input name="name" autocomplete="username" autocapitalize="none" required></label></p>
<p><label>Password<br><input name="password" type="password" autocomplete="current-password" required></label></p>
<p><label style="display: block; line-height: 2.75rem">
<input type="checkbox" name="remember" value="yes"
style="min-height: 0; width: 1.25rem; height: 1.25rem; vertical-align: middle"> Remember me</label></p>
<p><button>Log in</button></p>
</form>
</html>
"""
WRONG = '<p role="alert">No such name and password.</p>'
HOME = """<h1>Hello, {}</h1>
<p><a href="/settings">Settings</a></p>
<form method="post" action="/logout"><button>Log out</button></form>
</html>
"""
SETTINGS = """<h1>Settings</h1>
<p>Only for those who gave their password just now. <a href="/">Back</a></p>
</html>
"""
