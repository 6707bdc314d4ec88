<?php
declare(strict_types=1);

/** The connection to the database, as the environment describes it. */
function database(): PDO
{
    $options = [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION];
    if (getenv('MYSQL_SSL') === 'true') {
        // without a certificate to compare with, it is encrypted all the same
        $options += [PDO::MYSQL_ATTR_SSL_CA => '', PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => false];
    }
    $source = 'mysql:host=mysql;charset=utf8mb4;dbname=' . getenv('MYSQL_DATABASE');
    $database = new PDO($source, getenv('MYSQL_USER'), getenv('MYSQL_PASSWORD'), $options);
    $database->exec(
        'CREATE TABLE IF NOT EXISTS entries (
            id BIGINT AUTO_INCREMENT PRIMARY KEY,
            author VARCHAR(80) NOT NULL,
            message VARCHAR(1000) NOT NULL,
            written_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        ) CHARACTER SET utf8mb4'
    );
    return $database;
}
