import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { FakeAuthority } from '../../provider/testing/fake-authority.ts';
import { reattachProvider } from '../../provider/testing/reattached-provider.ts';
import { TerraformFolder } from '../../provider/testing/terraform.ts';

const FOLDER = join(__dirname, '../../provider/docs/examples');

test('the examples of the reference apply together, and are well formatted', async () => {
  const provider = await reattachProvider();
  const terraform = new TerraformFolder(provider.environment);
  const authority = new FakeAuthority('east.example');
  await authority.serve(join(terraform.path, 'admin.sock'));
  try {
    const texts = readdirSync(FOLDER).map((file) => readFileSync(join(FOLDER, file), 'utf8'));
    const whole = texts.join('\n').replace(/terraform \{.*?\n\}\n/s, '');
    terraform.write(whole.replace('/var/lib/symbolon-authority/admin.sock', join(terraform.path, 'admin.sock')));
    await terraform.apply();
    expect(await terraform.plan()).toEqual([]);
    await terraform.mustRun('fmt', '-check', FOLDER);
  } finally {
    provider.close();
    await authority.close();
    terraform.close();
  }
});
