<?php
declare(strict_types=1);
// A guest book: what is written stays in MySQL, and no release takes it away.

require '/var/www/database.php';

function safe(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES);
}

$database = database();
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $author = mb_substr(trim($_POST['author'] ?? ''), 0, 80);
    $message = mb_substr(trim($_POST['message'] ?? ''), 0, 1000);
    if ($author !== '' && $message !== '') {
        $database->prepare('INSERT INTO entries (author, message) VALUES (?, ?)')->execute([$author, $message]);
    }
    header('Location: /', true, 303);
    exit;
}
$entries = $database->query('SELECT author, message, written_at FROM entries ORDER BY id DESC LIMIT 50')->fetchAll();
?>
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Guest book</title>
<style>
  :root { color-scheme: light dark; }
  body { margin: 2rem auto; max-width: 34rem; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif; }
  form { display: grid; gap: .6rem; margin: 1.5rem 0; }
  input, textarea, button { font: inherit; padding: .4rem .6rem; }
  article { border-top: 1px solid; padding: .8rem 0; }
  p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>Guest book</h1>
<p>This is <?= safe(getenv('ENV')) ?>.</p>
<form method="post">
  <label>Name <input name="author" maxlength="80" required></label>
  <label>Message <textarea name="message" maxlength="1000" rows="3" required></textarea></label>
  <button>Write</button>
</form>
<?php foreach ($entries as $entry): ?>
<article><strong><?= safe($entry['author']) ?></strong>, <?= safe($entry['written_at']) ?>
<p><?= safe($entry['message']) ?></p></article>
<?php endforeach ?>
<?php if (!$entries): ?>
<article>Nobody has written yet.</article>
<?php endif ?>
</body>
</html>
